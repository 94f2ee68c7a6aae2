/** What the handlers ask Nest for: the log, and the check of this process's pseudonym key. */
export const LOG = Symbol('Log');
export const KEY_CHECK = Symbol('KeyCheck');
