import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

type Props = { source: string | undefined; reason: string | undefined; total: number | undefined }

/** Tries the rows set aside again: of one source or all, for one reason or any. */
export function RetryButton({ source, reason, total }: Props) {
  const { t } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const retry = useMutation({
    mutationFn: () => answer(api.POST('/api/set-aside/retry', { params: { query: { source, reason } } })),
    onSuccess: (result) => {
      const figures = {
        tried: count(result.tried),
        applied: count(result.applied),
        still: count(result.still_set_aside),
      }
      void message.success(t('aside.retried', figures), 6)
      void queries.invalidateQueries({ queryKey: ['set-aside'] })
    },
    onError: (error) => void message.error(words(error)),
  })
  if (!can('sources.manage')) return null
  return (
    <Button type="primary" disabled={total === 0} loading={retry.isPending} onClick={() => retry.mutate()}>
      {source || reason ? t('aside.retry_these', { n: count(total ?? 0) }) : t('aside.retry')}
    </Button>
  )
}
