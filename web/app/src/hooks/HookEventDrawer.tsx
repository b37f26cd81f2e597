import { useQuery } from '@tanstack/react-query'
import { Drawer } from 'antd'
import { Link } from 'react-router'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { HookEventPage } from '../api/types'
import { useEvery } from '../api/useLive'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import { HookStateTag } from './HookStateTag'
import { RetryEvent } from './RetryEvent'
import { layout } from './layout'
import '../planning/Planning.css'

const EVERY = 10_000

function Facts({ event }: Pick<HookEventPage, 'event'>) {
  const { t } = useLanguage()
  const { fullTime } = useFormats()
  const can = useCan()
  return (
    <dl className="pairs">
      <div>
        <dt>{t('runs.state')}</dt>
        <dd>
          <HookStateTag state={event.state} />
          {event.state === 'stale' && <span className="muted small"> {t('hooks.stale_hint')}</span>}
        </dd>
      </div>
      <div>
        <dt>{t('hooks.about')}</dt>
        <dd className="hooks__event">
          {event.lane}{' '}
          {can('orders.read') && (
            <Link className="inline small" to={`/orders?q=${encodeURIComponent(event.lane)}`}>
              {t('hooks.find')}
            </Link>
          )}
        </dd>
      </div>
      <div>
        <dt>{t('hooks.event')}</dt>
        <dd className="code hooks__event">
          {event.hook} · {event.event}
        </dd>
      </div>
      <div>
        <dt>{t('hooks.received_at')}</dt>
        <dd className="num">{fullTime(event.received_at)}</dd>
      </div>
      <div>
        <dt>{t('run.ended')}</dt>
        <dd className="num">{fullTime(event.ended_at)}</dd>
      </div>
    </dl>
  )
}

function Detail({ page }: { page: HookEventPage }) {
  const { t, say } = useLanguage()
  const { event } = page
  return (
    <>
      {event.failure && (
        <div className="hooks__failure" role="status">
          <p>{say(event.failure.message)}</p>
          <p className="small code">{event.failure.code}</p>
        </div>
      )}
      <Facts event={event} />
      <RetryEvent event={event} />
      <h3 className="hooks__title">{t('hooks.body')}</h3>
      <p className="muted small">{t('hooks.body_hint')}</p>
      <pre className="hooks__body code" tabIndex={0} aria-label={t('hooks.body')}>
        {layout(page.body)}
      </pre>
    </>
  )
}

/** One webhook: what became of it, why, and what its sender said. */
export function HookEventDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const { t } = useLanguage()
  const every = useEvery(EVERY)
  const query = useQuery({
    queryKey: ['hook-event', id],
    queryFn: () => answer(api.GET('/api/hook-events/{event_id}', { params: { path: { event_id: id ?? '' } } })),
    enabled: id !== undefined,
    refetchInterval: every,
  })
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      size={640}
      destroyOnHidden
      title={query.data?.event.lane ?? t('menu.hooks')}
      styles={{ wrapper: { maxWidth: '100vw' } }}
    >
      {query.data ? (
        <Detail page={query.data} />
      ) : query.error ? (
        <FailureNote error={query.error} retry={() => void query.refetch()} bare />
      ) : (
        <Waiting rows={6} card={false} />
      )}
    </Drawer>
  )
}
