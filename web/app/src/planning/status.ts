import { useLanguage, type Key } from '../i18n'

const STATUSES: Partial<Record<string, Key>> = {
  engineering: 'stage.engineering',
  planned: 'stage.planned',
  released: 'stage.released',
  started: 'work.status.started',
  finished: 'stage.finished',
  closed: 'stage.closed',
  cancelled: 'stage.cancelled',
  on_hold: 'flag.hold',
}

/** The word for a work order's status; a status this app does not know is shown as it is. */
export function useWorkOrderStatus(): (status: string) => string {
  const { t } = useLanguage()
  return (status) => {
    const key = STATUSES[status]
    return key ? t(key) : status
  }
}
