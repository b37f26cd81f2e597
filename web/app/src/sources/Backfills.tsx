import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { Backfill } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { ReasonDialog } from './ReasonDialog'

/** The back-fills of a source that are not over, each with how far it has come. */
export function Backfills({ backfills }: { backfills: Backfill[] }) {
  const { t } = useLanguage()
  if (backfills.length === 0) return null
  return (
    <section className="backfills">
      <h3>{t('backfill.waiting')}</h3>
      <ul className="facts">
        {backfills.map((one) => (
          <BackfillLine key={one.id} one={one} />
        ))}
      </ul>
    </section>
  )
}

function BackfillLine({ one }: { one: Backfill }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  const what = { low: one.span.low, high: one.span.high }
  return (
    <li>
      <span className="code">{one.sync}</span>{' '}
      <span className="num">{t(one.span.by === 'cursor' ? 'backfill.of_cursor' : 'backfill.of_key', what)}</span>{' '}
      <span className="muted">
        {t('backfill.who', { by: one.by, time: dayTime(one.at), reason: one.reason })}
        {one.reached !== null && ` · ${t('backfill.reached', { value: one.reached })}`}
      </span>{' '}
      {one.run_id && (
        <Link className="inline" to={`/runs/${one.run_id}`}>
          {t('backfill.run')}
        </Link>
      )}
      {one.message && <span className="warn"> {say(one.message)}</span>} <GiveUp id={one.id} />
    </li>
  )
}

function GiveUp({ id }: { id: string }) {
  const { t } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [asking, setAsking] = useState(false)
  const cancel = useMutation({
    mutationFn: async (reason: string) => {
      const params = { path: { backfill_id: id } }
      await answer(api.POST('/api/backfills/{backfill_id}/cancel', { params, body: { reason } }))
    },
    onSuccess: () => setAsking(false),
    onError: (error) => void message.error(words(error)),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['sources'] }),
  })
  if (!can('sources.manage')) return null
  return (
    <>
      <Button size="small" onClick={() => setAsking(true)}>
        {t('backfill.give_up')}
      </Button>
      <ReasonDialog
        open={asking}
        title={t('backfill.give_up')}
        warning={t('backfill.give_up_warn')}
        action={t('backfill.give_up')}
        busy={cancel.isPending}
        onReason={(reason) => cancel.mutate(reason)}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
