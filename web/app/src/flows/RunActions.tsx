import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { FlowRunPage } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

/** Let a failed run go on, or end one where it stands. */
export function RunActions({ page }: { page: FlowRunPage }) {
  const { t } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const { id } = page.run
  const params = { params: { path: { run_id: id } } }
  const shared = {
    onError: (error: unknown) => void message.error(words(error)),
    onSettled: () => {
      for (const key of ['flow-run', 'flow-runs', 'flows']) void queries.invalidateQueries({ queryKey: [key] })
    },
  }
  const done = (text: string) => (fresh: FlowRunPage) => {
    queries.setQueryData(['flow-run', id], fresh)
    void message.success(text)
  }
  const retry = useMutation({
    ...shared,
    mutationFn: () => answer(api.POST('/api/flow-runs/{run_id}/retry', params)),
    onSuccess: done(t('flow_run.retried')),
  })
  const cancel = useMutation({
    ...shared,
    mutationFn: () => answer(api.POST('/api/flow-runs/{run_id}/cancel', params)),
    onSuccess: done(t('flow_run.cancelled')),
  })
  if (!can('flows.manage')) return null
  const ask = (): void =>
    void modal.confirm({
      title: t('flow_run.cancel_ask'),
      content: t('flow_run.cancel_warn'),
      icon: null,
      okText: t('flow_run.cancel'),
      cancelText: t('flow_run.keep'),
      okButtonProps: { danger: true },
      onOk: () => cancel.mutateAsync().catch(() => undefined),
    })
  return (
    <>
      {page.can_cancel && (
        <Button danger loading={cancel.isPending} onClick={ask}>
          {t('flow_run.cancel')}
        </Button>
      )}
      {page.can_retry && (
        <Button type="primary" loading={retry.isPending} onClick={() => retry.mutate()}>
          {t('flow_run.retry')}
        </Button>
      )}
    </>
  )
}
