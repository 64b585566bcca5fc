/** Milliseconds of the longest timer that Node keeps: a longer one fires at once. */
export const maxTimerMs = 2 ** 31 - 1;
