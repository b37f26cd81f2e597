import type { HookEventRow } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { HookStateTag } from './HookStateTag'
import { RetryEvent } from './RetryEvent'
import '../masters/Masters.css'

type Props = { rows: HookEventRow[]; onOpen: (id: string) => void }

function Row({ event, onOpen }: { event: HookEventRow; onOpen: (id: string) => void }) {
  const { t, say } = useLanguage()
  const { fullTime } = useFormats()
  return (
    <tr>
      <td className="table__lead">
        <button type="button" className="bare task__open" data-row onClick={() => onOpen(event.id)}>
          <b className="num hooks__event">{event.lane}</b>
        </button>
      </td>
      <td>
        <HookStateTag state={event.state} />
      </td>
      <td className="table__wide">
        <span className="code muted hooks__event">
          {event.hook} · {event.event}
        </span>
        {event.failure && <span className="bad small run__message">{say(event.failure.message)}</span>}
      </td>
      <td className="num" data-label={t('hooks.received_at')}>
        {fullTime(event.received_at)}
      </td>
      <td>
        <RetryEvent event={event} size="small" />
      </td>
    </tr>
  )
}

/** Webhooks that were taken, the newest first. */
export function HookEventTable({ rows, onOpen }: Props) {
  const { t } = useLanguage()
  return (
    <CardTable
      heads={[
        { label: t('hooks.about') },
        { label: t('runs.state') },
        { label: t('hooks.event') },
        { label: t('hooks.received_at') },
        { label: t('users.actions'), hidden: true },
      ]}
    >
      {rows.map((event) => (
        <Row key={event.id} event={event} onOpen={onOpen} />
      ))}
    </CardTable>
  )
}
