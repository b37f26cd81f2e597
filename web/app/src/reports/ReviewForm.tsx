import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Input } from 'antd'
import { useId, useState } from 'react'
import { answer, api } from '../api/client'
import type { ReportReview } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

type Props = { review: ReportReview; gone: boolean; onDone: () => void }

/** Take the report or leave it out; an unknown worker's number can be put right. */
export function ReviewForm({ review, gone, onDone }: Props) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [number, setNumber] = useState('')
  const field = useId()
  const decide = useMutation({
    mutationFn: (accept: boolean) =>
      answer(
        api.POST('/api/report-reviews/{report_id}/decision', {
          params: { path: { report_id: review.report_id } },
          body: { accept, employee_no: accept ? number.trim() || null : null },
        }),
      ),
    onSuccess: (_done, accept) => {
      void message.success(t(accept ? 'reviews.taken' : 'reviews.left_out'))
      onDone()
    },
    // Also after a refusal: somebody may have been first, and the list should show it.
    onSettled: () => {
      for (const key of ['report-reviews', 'order', 'orders', 'board']) void queries.invalidateQueries({ queryKey: [key] })
    },
  })
  return (
    <form
      className="change__form"
      onSubmit={(event) => {
        event.preventDefault()
        if (!gone && !decide.isPending) decide.mutate(true)
      }}
    >
      {decide.error ? (
        <Alert type="warning" showIcon role="alert" title={words(decide.error)} />
      ) : (
        gone && <Alert type="info" showIcon title={t('reviews.gone')} />
      )}
      {review.employee_name === null && (
        <>
          <label htmlFor={field}>{t('reviews.number')}</label>
          <Input
            id={field}
            value={number}
            maxLength={40}
            disabled={gone}
            autoComplete="off"
            placeholder={t('reviews.number_hint')}
            onChange={(event) => setNumber(event.target.value)}
          />
        </>
      )}
      <p className="muted small">{t('reviews.effect')}</p>
      <div className="change__buttons">
        <Button type="primary" htmlType="submit" disabled={gone} loading={decide.isPending && decide.variables}>
          {t('reviews.take')}
        </Button>
        <Button
          danger
          disabled={gone}
          loading={decide.isPending && !decide.variables}
          onClick={() => decide.mutate(false)}
        >
          {t('reviews.leave_out')}
        </Button>
      </div>
    </form>
  )
}
