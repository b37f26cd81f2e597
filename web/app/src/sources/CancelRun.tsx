import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { RunRow } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { ReasonDialog } from './ReasonDialog'

/** Ends a run that is under way, after the batch it is at. */
export function CancelRun({ run }: { run: RunRow }) {
  const { t } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [asking, setAsking] = useState(false)
  const cancel = useMutation({
    mutationFn: (reason: string) =>
      answer(api.POST('/api/runs/{run_id}/cancel', { params: { path: { run_id: run.id } }, body: { reason } })),
    onSuccess: (fresh) => {
      setAsking(false)
      queries.setQueryData(['run', run.id], fresh)
      void message.success(t('control.cancelled'))
    },
    onError: (error) => void message.error(words(error)),
  })
  const reads = run.kind !== 'retry' && run.kind !== 'hook'
  if (!can('sources.manage') || run.state !== 'running' || !reads) return null
  return (
    <>
      <Button danger onClick={() => setAsking(true)}>
        {t('control.cancel')}
      </Button>
      <ReasonDialog
        open={asking}
        title={t('control.cancel')}
        warning={t('control.cancel_warn')}
        action={t('control.cancel')}
        busy={cancel.isPending}
        onReason={(reason) => cancel.mutate(reason)}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
