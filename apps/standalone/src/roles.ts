export const ROLES = ['recorder', 'projector', 'api'] as const;
export type Role = (typeof ROLES)[number];
/** Those that are there to be asked over HTTP. */
export const LISTENING: readonly Role[] = ['api'];

/** The roles that `--roles a,b` names, every one where it is left out, or what is wrong with it. */
export function rolesOf(args: string[]): { roles: Role[] } | { wrong: string } {
  if (args.length === 0) return { roles: [...ROLES] };
  const [flag, value, ...rest] = args.length === 1 && args[0]!.startsWith('--roles=') ? ['--roles', args[0]!.slice(8)] : args;
  if (flag !== '--roles' || value === undefined || rest.length > 0) return { wrong: `--roles: wrong usage. Write --roles ${ROLES.join(',')}` };
  const roles = [...new Set(value.split(',').map((role) => role.trim()))];
  const unknown = roles.find((role) => !(ROLES as readonly string[]).includes(role));
  if (unknown !== undefined) return { wrong: `--roles: there is no role ${JSON.stringify(unknown)}. Choose from ${ROLES.join(', ')}` };
  return { roles: roles as Role[] };
}
