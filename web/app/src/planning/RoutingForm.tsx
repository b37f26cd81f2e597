import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button } from 'antd'
import { useState } from 'react'
import { answer, api } from '../api/client'
import type { EngineeringRow, RoutingCandidate } from '../api/types'
import { quantity } from '../format/quantity'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { Empty } from '../parts/Empty'
import { candidatesOf, keyOf } from './candidates'
import { RoutingSteps } from './RoutingSteps'

type Props = { row: EngineeringRow; gone: boolean; onDone: () => void }

/** Choose one of the nearest routings; its operations stand below it before it is taken. */
export function RoutingForm({ row, gone, onDone }: Props) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const candidates = candidatesOf(row)
  const [chosen, choose] = useState<string | null>(candidates[0] ? keyOf(candidates[0]) : null)
  const candidate = candidates.find((one) => keyOf(one) === chosen)
  const take = useMutation({
    mutationFn: ({ item_id, version }: RoutingCandidate) =>
      answer(
        api.POST('/api/work-orders/{work_order_id}/routing', {
          params: { path: { work_order_id: row.work_order_id } },
          body: { item_id, version, work_order_version: row.work_order_version },
        }),
      ),
    onSuccess: (done) => {
      void message.success(t('engineering.taken', { no: done.work_order_no, n: done.operations }))
      onDone()
    },
    onSettled: () => {
      for (const key of ['engineering', 'order', 'orders', 'board']) void queries.invalidateQueries({ queryKey: [key] })
    },
  })
  if (candidates.length === 0) return <Empty title={t('engineering.no_candidate')}>{t('engineering.no_candidate_hint')}</Empty>
  return (
    <form
      className="routing"
      onSubmit={(event) => {
        event.preventDefault()
        if (candidate) take.mutate(candidate)
      }}
    >
      <fieldset className="routing__choices">
        <legend>{t('engineering.candidates')}</legend>
        {candidates.map((one) => (
          <Choice
            key={keyOf(one)}
            candidate={one}
            proposed={row.proposal !== null && keyOf(one) === keyOf(row.proposal)}
            on={keyOf(one) === chosen}
            choose={() => choose(keyOf(one))}
          />
        ))}
      </fieldset>
      {candidate && <RoutingSteps operations={candidate.operations} />}
      {take.error ? (
        <Alert type="warning" showIcon role="alert" title={words(take.error)} />
      ) : (
        gone && <Alert type="info" showIcon title={t('engineering.gone')} />
      )}
      <p className="muted small">{t('engineering.take_hint')}</p>
      <Button type="primary" htmlType="submit" loading={take.isPending} disabled={candidate === undefined || gone}>
        {t(row.reason === 'drawing_changed' ? 'engineering.confirm' : 'engineering.take')}
      </Button>
    </form>
  )
}

type ChoiceProps = { candidate: RoutingCandidate; proposed: boolean; on: boolean; choose: () => void }

function Choice({ candidate, proposed, on, choose }: ChoiceProps) {
  const { t } = useLanguage()
  return (
    <label className={`routing__choice${on ? ' routing__choice--on' : ''}`}>
      <input type="radio" name="routing" checked={on} onChange={choose} />
      <span className="routing__name">
        {candidate.item_name} {candidate.drawing_no && <span className="muted code">{candidate.drawing_no}</span>}
        <span className="muted small routing__detail">
          <span className="code">{candidate.item_code}</span> · {t('engineering.version', { n: candidate.version })} ·{' '}
          {t('engineering.operations', { n: candidate.operations.length })}
          {proposed && ` · ${t('engineering.proposed')}`}
        </span>
      </span>
      <span className="routing__figures num">
        {candidate.score !== null && (
          <b>
            <span className="visually-hidden">{t('engineering.score')} </span>
            {quantity(candidate.score)} %
          </b>
        )}
        <span className="muted small">{t('work.hours', { n: quantity(candidate.est_hours) })}</span>
      </span>
    </label>
  )
}
