/** Notes on a skipped value, for the record's trace. */

import { cut, show } from "./fault.ts";
import { identifier } from "./text.ts";

/** A field holds a zero date. `label` is the field's name in the form. */
export function zeroDate(label: string, text: string): string {
  // The day is not personal data, so it need not be masked.
  const shown = cut(identifier(text), 32);
  return `${label} 的 ${shown} 是电子表格或程序的零日期，视为未填写 / ${label} holds ${shown}, a zero of a spreadsheet or computer written as a date: taken as empty`;
}

/** A field contains a placeholder for "none". */
export function placeholder(label: string, text: string): string {
  const shown = show(text);
  return `${label} 填的是 ${shown}，视为未填写 / ${label} says ${shown}: taken as empty`;
}
