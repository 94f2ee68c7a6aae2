/** How heartbeats name this SDK; `build.spec.ts` holds it to package.json. */
export const SDK = 'foothold-js';
export const VERSION = '0.2.0';
