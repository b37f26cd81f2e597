import type { ReportReview } from '../api/types'
import { useLanguage, type Key } from '../i18n'

const REASONS = [
  'operation_cancelled',
  'order_finished',
  'order_closed',
  'order_cancelled',
  'order_engineering',
  'unknown_employee',
  'unknown_machine',
] as const
const KINDS = ['good', 'scrap_work', 'scrap_material', 'rework'] as const
const EVENTS = ['start', 'pause', 'resume', 'finish'] as const

type Words = {
  reason: (code: string | null) => string
  kind: (code: string) => string
  events: (events: ReportReview['events']) => string
}

/** A code in words where it has any, else as it is: a newer server may know more. */
export function known<C extends string>(codes: readonly C[], code: string | null): C | undefined {
  return codes.find((one) => one === code)
}

/** Why a report waits, and what its quantities are, in words. */
export function useReviewWords(): Words {
  const { t } = useLanguage()
  const say = (prefix: string, found: string | undefined, code: string): string =>
    found ? t(`${prefix}.${found}` as Key) : code
  return {
    reason: (code) => say('reviews.reason', known(REASONS, code), code ?? ''),
    kind: (code) => say('reviews.kind', known(KINDS, code), code),
    events: (events) => events.map(({ kind }) => say('reviews.event', known(EVENTS, kind), kind)).join(' · '),
  }
}
