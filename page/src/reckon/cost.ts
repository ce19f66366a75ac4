// What is booked, in money: sums by owner, each currency by itself.
import type { Cost, Reservation } from "../api/shapes";

export interface Priced {
  reservation: Reservation;
  cost: Cost | null;
}

export interface OwnerCost {
  owner: string;
  reservations: number;
  heldMs: number;
  costs: Cost[];
}

/** How long it holds capacity, lead and tail included. */
export function heldMs({ held }: Pick<Reservation, "held">): number {
  return Date.parse(held.end) - Date.parse(held.start);
}

/** The most expensive owner first. */
export function byOwner(all: Priced[]): OwnerCost[] {
  const owners = new Map<string, OwnerCost>();
  for (const { reservation, cost } of all) {
    const of = owners.get(reservation.owner) ?? { owner: reservation.owner, reservations: 0, heldMs: 0, costs: [] };
    of.reservations += 1;
    of.heldMs += heldMs(reservation);
    if (cost) {
      const known = of.costs.find((it) => it.currency === cost.currency);
      if (known) known.amount = String(Number(known.amount) + Number(cost.amount));
      else of.costs.push({ ...cost });
    }
    owners.set(reservation.owner, of);
  }
  const amount = (of: OwnerCost) => of.costs.reduce((sum, cost) => sum + Number(cost.amount), 0);
  return [...owners.values()].sort((a, b) => amount(b) - amount(a));
}

/** The dearest first. */
export function dearest(all: Priced[]): Priced[] {
  return [...all].sort((a, b) => Number(b.cost?.amount ?? 0) - Number(a.cost?.amount ?? 0));
}

/** "0.14 USD"; small ones with as many digits as tell them from nothing. */
export function money({ amount, currency }: Cost): string {
  const value = Number(amount);
  return `${value.toFixed(value !== 0 && value < 0.1 ? 4 : 2)} ${currency}`;
}
