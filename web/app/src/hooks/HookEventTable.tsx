import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { HookEventRow } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { CardTable } from '../parts/CardTable'
import '../sources/Sources.css'

const LOOK: Record<HookEventRow['state'], [string, string]> = {
  received: ['syncing', '↻'],
  done: ['ok', '●'],
  stale: ['never', '–'],
  failed: ['failing', '▲'],
}

function Retry({ event }: { event: HookEventRow }) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const retry = useMutation({
    mutationFn: () => answer(api.POST('/api/hook-events/{event_id}/retry', { params: { path: { event_id: event.id } } })),
    onSuccess: () => void message.success(t('hooks.retried')),
    onError: (error: unknown) => void message.error(words(error)),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['hook-events'] }),
  })
  return (
    <Button
      size="small"
      loading={retry.isPending}
      onClick={() => retry.mutate()}
      aria-label={`${t('action.retry')} ${event.event}`}
    >
      {t('action.retry')}
    </Button>
  )
}

function Row({ event }: { event: HookEventRow }) {
  const { t, say } = useLanguage()
  const { fullTime } = useFormats()
  const can = useCan()
  const [look, shape] = LOOK[event.state]
  return (
    <tr>
      <td className="table__lead">
        <b className="num hooks__event">{event.lane || event.event}</b>
      </td>
      <td>
        <span className={`source-state source-state--${look}`}>
          <span aria-hidden="true">{shape}</span> {t(`hooks.state.${event.state}`)}
        </span>
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
      <td>{event.state === 'failed' && can('sources.manage') && <Retry event={event} />}</td>
    </tr>
  )
}

/** Webhooks that were taken, the newest first. */
export function HookEventTable({ rows }: { rows: HookEventRow[] }) {
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
        <Row key={event.id} event={event} />
      ))}
    </CardTable>
  )
}
