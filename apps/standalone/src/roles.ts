export const ROLES = ['collector', 'recorder', 'projector', 'sentinel', 'api'] as const;
export type Role = (typeof ROLES)[number];
/** Those that are there to be asked over HTTP. */
export const LISTENING: readonly Role[] = ['collector', 'api'];

/**
 * The roles that `--roles a,b` names, or what is wrong with it. Where it is left out, every one; without Kafka there is
 * nothing to record, since the collector appends itself.
 */
export function rolesOf(args: string[], kafka: boolean): { roles: Role[] } | { wrong: string } {
  if (args.length === 0) return { roles: ROLES.filter((role) => kafka || role !== 'recorder') };
  const [flag, value, ...rest] = args.length === 1 && args[0]!.startsWith('--roles=') ? ['--roles', args[0]!.slice(8)] : args;
  if (flag !== '--roles' || value === undefined || rest.length > 0) return { wrong: `--roles: wrong usage. Write --roles ${ROLES.join(',')}` };
  const roles = [...new Set(value.split(',').map((role) => role.trim()))];
  const unknown = roles.find((role) => !(ROLES as readonly string[]).includes(role));
  if (unknown !== undefined) return { wrong: `--roles: there is no role ${JSON.stringify(unknown)}. Choose from ${ROLES.join(', ')}` };
  return { roles: roles as Role[] };
}
