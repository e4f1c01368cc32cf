/**
 * Removes the sources of nondeterminism: the time of day and randomness. Rules get the time from their clock.
 */

const forbid = (what: string) => (): never => {
  throw new Error(`${what} is not there for rules, which must give the same answer for ever; use clock.now`);
};

Math.random = forbid("Math.random");

globalThis.Date = new Proxy(Date, {
  construct: (target, values: []) => (values.length === 0 ? forbid("new Date()")() : new target(...values)),
  apply: forbid("Date()"),
});
Date.now = forbid("Date.now");

export {};
