/**
 * The current time of the run, and how long decisions based on it hold.
 *
 * A decision that depends on the time can change without an edit of the row. So the clock records the questions it is
 * asked: a comparison by `isBefore` or `isAfter` limits the decision to the first moment at which its result changes,
 * if there is one. Code that reads the time itself, as a text or a number, depends on it in an unknown way: the
 * decision then holds until the end of the day in the zone. The frame passes the result to the host with every
 * outcome; an author has nothing to add.
 */

import { GuestError, both } from "./contract.ts";
import type { Context } from "./contract.ts";
import * as date from "./date.ts";
import { Moment } from "./date.ts";
import { Fault } from "./fault.ts";
import { Zone } from "./zone.ts";

/** The current time of the run and the tenant's time zone. */
export class Clock {
  /** The tenant's time zone. */
  readonly zone: Zone;
  /** The current time, for code that itself limits how long a decision holds. */
  readonly plain: Moment;
  private until: number | undefined;

  constructor(context: Context) {
    this.zone = Zone.named(context.timezone);
    this.until = undefined;
    try {
      this.plain = date.parse(context.now, this.zone);
    } catch (error) {
      throw error instanceof Fault ? new GuestError("context.invalid", both(error.message)) : error;
    }
  }

  /**
   * The current time of the run in the tenant's zone. Compare it by `isBefore` and `isAfter`, with either on the
   * left.
   */
  get now(): Moment {
    return new Now(this);
  }

  /** The first moment of the run's day in the tenant's zone. Compare it likewise. */
  get today(): Moment {
    return new Today(this, this.zone);
  }

  /** The first moment of the run's day in a zone. */
  todayIn(zone: Zone): Moment {
    return new Today(this, zone);
  }

  /** Until when the answers since the last call hold; `undefined` means for ever. */
  take(): string | undefined {
    const until = this.until;
    this.until = undefined;
    return until === undefined ? undefined : date.utc(until);
  }

  /** Limits the decision to this moment at most. */
  narrow(until: number): void {
    if (this.until === undefined || until < this.until) {
      this.until = until;
    }
  }

  /** A decision depends on the time in an unknown way: it holds until the end of the day. */
  narrowToDay(zone: Zone): void {
    this.narrow(zone.nextDay(this.plain.timestamp) * 1000);
  }
}

/** A moment that moves with the clock: reading it as a fixed one limits the decision to the end of the day. */
abstract class Hand extends Moment {
  protected readonly clock: Clock;
  protected readonly zone: Zone;

  constructor(clock: Clock, zone: Zone, at: Moment) {
    super(at.timestampMs, zone);
    this.clock = clock;
    this.zone = zone;
  }

  override get timestampMs(): number {
    this.clock.narrowToDay(this.zone);
    return this.ms;
  }

  override isBefore(other: Moment): boolean {
    return this.isShortOf(other);
  }

  override isAfter(other: Moment): boolean {
    return this.hasPassed(other);
  }
}

class Now extends Hand {
  constructor(clock: Clock) {
    super(clock, clock.zone, clock.plain);
  }

  override startOfDay(zone: Zone): Moment {
    this.clock.narrowToDay(zone);
    return this.clock.plain.startOfDay(zone);
  }

  override hasPassed(moment: Moment): boolean {
    const has = moment.timestampMs < this.ms;
    if (!has) {
      this.clock.narrow(moment.timestampMs + 1);
    }
    return has;
  }

  override isShortOf(moment: Moment): boolean {
    const is = moment.timestampMs > this.ms;
    if (is) {
      this.clock.narrow(moment.timestampMs);
    }
    return is;
  }
}

class Today extends Hand {
  constructor(clock: Clock, zone: Zone) {
    super(clock, zone, clock.plain.startOfDay(zone));
  }

  override hasPassed(moment: Moment): boolean {
    const then = moment.timestampMs;
    const has = then < this.ms;
    if (has) {
      this.narrowToTurn();
    } else {
      this.narrowTo(moment, (start) => start > then);
    }
    return has;
  }

  override isShortOf(moment: Moment): boolean {
    const then = moment.timestampMs;
    const is = then > this.ms;
    if (is) {
      this.narrowTo(moment, (start) => start >= then);
    } else {
      this.narrowToTurn();
    }
    return is;
  }

  /** Limits the decision to the first moment whose day begins after a moment, or not before it. */
  private narrowTo(moment: Moment, begins: (start: number) => boolean): void {
    let day = this.zone.dayOf(moment.timestamp);
    while (!begins(this.zone.startOf(day) * 1000)) {
      day += 1;
    }
    this.clock.narrow(this.zone.nextStartOf(day, this.clock.plain.timestamp) * 1000);
  }

  /** A clock put back over midnight shows the previous day again. */
  private narrowToTurn(): void {
    const turn = this.zone.turnedBack(this.clock.plain.timestamp);
    if (turn !== undefined) {
      this.clock.narrow(turn * 1000);
    }
  }
}
