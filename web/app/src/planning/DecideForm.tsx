import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Input } from 'antd'
import { useId, useState } from 'react'
import { answer, api } from '../api/client'
import type { OrderChangeRow } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

const LONGEST = 500

type Props = { change: OrderChangeRow; gone: boolean; onDone: () => void }

/** Accept or reject, with a note; what stands against it is said here and stays readable. */
export function DecideForm({ change, gone, onDone }: Props) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [note, setNote] = useState('')
  const field = useId()
  const decide = useMutation({
    mutationFn: (accept: boolean) =>
      answer(
        api.POST('/api/order-changes/{change_id}/decision', {
          params: { path: { change_id: change.id } },
          body: { accept, note: note.trim() || null },
        }),
      ),
    onSuccess: (done) => {
      void message.success(t(done.decision === 'accepted' ? 'change.accepted_done' : 'change.rejected_done'))
      onDone()
    },
    // Also after a refusal: somebody may have been first, and the list should show it.
    onSettled: () => {
      for (const key of ['order-changes', 'order', 'orders', 'board']) void queries.invalidateQueries({ queryKey: [key] })
    },
  })
  return (
    <form className="change__form" onSubmit={(event) => event.preventDefault()}>
      {decide.error ? (
        <Alert type="warning" showIcon role="alert" title={words(decide.error)} />
      ) : (
        gone && <Alert type="info" showIcon title={t('change.gone')} />
      )}
      <label htmlFor={field}>{t('change.note')}</label>
      <Input.TextArea
        id={field}
        value={note}
        maxLength={LONGEST}
        rows={3}
        placeholder={t('change.note_hint')}
        disabled={gone}
        onChange={(event) => setNote(event.target.value)}
      />
      <p className="muted small">{t(`change.effect.${change.kind}`)}</p>
      <div className="change__buttons">
        <Button
          type="primary"
          disabled={gone}
          loading={decide.isPending && decide.variables}
          onClick={() => decide.mutate(true)}
        >
          {t('change.accept')}
        </Button>
        <Button
          danger
          disabled={gone}
          loading={decide.isPending && !decide.variables}
          onClick={() => decide.mutate(false)}
        >
          {t('change.reject')}
        </Button>
      </div>
    </form>
  )
}
