import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { HookEventRow } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

/** Let a webhook that failed be worked in again; nothing for any other, or for who may not. */
export function RetryEvent({ event, size }: { event: HookEventRow; size?: 'small' }) {
  const { t } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const retry = useMutation({
    mutationFn: () => answer(api.POST('/api/hook-events/{event_id}/retry', { params: { path: { event_id: event.id } } })),
    onSuccess: () => void message.success(t('hooks.retried')),
    onError: (error: unknown) => void message.error(words(error)),
    onSettled: () => {
      for (const key of ['hook-events', 'hook-event']) void queries.invalidateQueries({ queryKey: [key] })
    },
  })
  if (event.state !== 'failed' || !can('sources.manage')) return null
  return (
    <Button
      size={size}
      type={size ? 'default' : 'primary'}
      loading={retry.isPending}
      onClick={() => retry.mutate()}
      aria-label={`${t('action.retry')} ${event.event}`}
    >
      {t('action.retry')}
    </Button>
  )
}
