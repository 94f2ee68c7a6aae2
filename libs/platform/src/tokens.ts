/** What a process's parts ask Nest for. */
export const CONFIG = Symbol('Config');
export const LOGGER = Symbol('Logger');
/** Called by a part that cannot go on: stops the process with exit code 1. */
export const FATAL = Symbol('Fatal');
export type Fatal = (error: unknown) => void;
