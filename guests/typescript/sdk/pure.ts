/**
 * Removes the sources of nondeterminism: the time of day and randomness. Rules get the time from their clock.
 */

const refuse = (what: string) => (): never => {
  throw new Error(`${what} is not there for rules, which must give the same answer for ever; use clock.now`);
};

Math.random = refuse("Math.random");

globalThis.Date = new Proxy(Date, {
  construct: (target, values: []) => (values.length === 0 ? refuse("new Date()")() : new target(...values)),
  apply: refuse("Date()"),
});
Date.now = refuse("Date.now");

export {};
