import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Radio } from 'antd'
import { useState } from 'react'
import { answer, api } from '../api/client'
import type { UnknownCodeTask } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { RecordPicker } from './RecordPicker'

export type Task = Omit<UnknownCodeTask, 'seen'> & { seen: (string | null)[][] }
type Action = 'link' | 'create' | 'ignore'

const ACTIONS: Action[] = ['link', 'create', 'ignore']

/** Link the code to a record, make a new record, or ignore it. */
export function ResolveForm({ task, onDone }: { task: Task; onDone: () => void }) {
  const { t, say } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [action, setAction] = useState<Action>('link')
  const [recordId, setRecordId] = useState<string | null>(null)
  const resolve = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/tasks/{task_id}/resolve', {
          params: { path: { task_id: task.id } },
          body: { action, record_id: action === 'link' ? recordId : null },
        }),
      ),
    onSuccess: (done) => {
      void message.success(say(done.outcome) || t('task.settled'))
      void queries.invalidateQueries()
      onDone()
    },
    onError: (error) => {
      void message.error(words(error))
      void queries.invalidateQueries({ queryKey: ['tasks'] })
    },
  })
  return (
    <form
      className="resolve"
      onSubmit={(event) => {
        event.preventDefault()
        resolve.mutate()
      }}
    >
      <Radio.Group
        aria-label={t('task.resolve')}
        className="resolve__actions"
        value={action}
        onChange={(event) => setAction(event.target.value as Action)}
        options={ACTIONS.map((one) => ({ value: one, label: t(`task.action.${one}`) }))}
      />
      <p className="muted small">{t(`task.hint.${action}`)}</p>
      {action === 'link' && <RecordPicker task={task} value={recordId} onChange={setRecordId} />}
      <Button
        type="primary"
        htmlType="submit"
        loading={resolve.isPending}
        danger={action === 'ignore'}
        disabled={action === 'link' && recordId === null}
      >
        {t(`task.do.${action}`)}
      </Button>
    </form>
  )
}
