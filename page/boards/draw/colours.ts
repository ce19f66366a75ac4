// Colours on paper: those that mean something, and those that tell series apart.

export const MEANING: Record<string, string> = { green: "#2c8f57", yellow: "#c99700", orange: "#dd6b12", red: "#c92a41", blue: "#1b6ca8" };

const SERIES = ["#1b6ca8", "#e08a1e", "#2f9e62", "#b8395b", "#7a55b0", "#1b9aa0", "#8a6d1c", "#d05fa5", "#5d7285", "#84a82c", "#4d4fc4", "#a3542b"];

export const seriesColour = (index: number): string => SERIES[index % SERIES.length]!;
