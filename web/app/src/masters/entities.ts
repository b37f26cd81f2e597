import type { MasterCode } from '../api/types'

export const ENTITIES: readonly MasterCode[] = ['customer', 'item', 'supplier', 'machine', 'employee']

/** The kind of golden record in an address, or null. */
export function entityFrom(value: string | null | undefined): MasterCode | null {
  return ENTITIES.find((entity) => entity === value) ?? null
}
