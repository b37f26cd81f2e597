import type { EngineeringRow, RoutingCandidate } from '../api/types'

/** What tells one routing from another. */
export function keyOf(candidate: Pick<RoutingCandidate, 'item_id' | 'version'>): string {
  return `${candidate.item_id}/${candidate.version}`
}

/** The routings to choose from: the nearest now, and what was proposed before if it is another. */
export function candidatesOf(row: Pick<EngineeringRow, 'proposal' | 'candidates'>): RoutingCandidate[] {
  const { proposal, candidates } = row
  const known = candidates.some((one) => proposal !== null && keyOf(one) === keyOf(proposal))
  return proposal === null || known ? candidates : [...candidates, proposal]
}
