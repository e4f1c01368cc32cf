/** Remarks on a value that was passed over, for the record's trace. */

import { cut, show } from "./fault.ts";
import { identifier } from "./text.ts";

/** A field holds a zero date. `label` is what people call the field. */
export function zeroDate(label: string, text: string): string {
  // The day is no person's, so nothing has to be masked.
  const shown = cut(identifier(text), 32);
  return `${label} 的 ${shown} 是电子表格或程序的零日期，视为未填写 / ${label} holds ${shown}, a zero of a spreadsheet or computer written as a date: taken as empty`;
}

/** A field says that there is nothing to say. */
export function placeholder(label: string, text: string): string {
  const shown = show(text);
  return `${label} 填的是 ${shown}，视为未填写 / ${label} says ${shown}: taken as empty`;
}
