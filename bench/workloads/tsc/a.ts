import { google } from "googleapis";

export const drive = google.drive("v3");
export const sheets = google.sheets("v4");
