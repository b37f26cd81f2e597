import type { Key } from '../i18n'

export const ROLES = ['admin', 'planner', 'manager', 'sales', 'worker'] as const

/** The name of a role in the dictionary. */
export function roleKey(role: string): Key | null {
  return (ROLES as readonly string[]).includes(role) ? (`role.${role}` as Key) : null
}
