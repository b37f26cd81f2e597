import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { SourceState } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { HoldButton } from './HoldButton'

/** Test the connection, or read from it now. */
export function SourceActions({ source }: { source: SourceState }) {
  const { t, say } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const params = { params: { path: { code: source.code } } }
  const onError = (error: unknown): void => void message.error(words(error))
  const check = useMutation({
    mutationFn: () => answer(api.POST('/api/sources/{code}/check', params)),
    onSuccess: (result) => {
      const text = `${say(source.label)} · ${say(result.message)} · ${result.milliseconds} ms`
      void (result.ok ? message.success(text) : message.error(text, 8))
    },
    onError,
  })
  const sync = useMutation({
    mutationFn: () => answer(api.POST('/api/sources/{code}/sync', params)),
    onSuccess: (runs) => {
      void message.success(t('sources.started', { n: runs.length }))
      void queries.invalidateQueries({ queryKey: ['sources'] })
    },
    onError,
  })
  if (!can('sources.manage')) return null
  return (
    <div className="source-card__actions">
      <Button size="small" loading={check.isPending} onClick={() => check.mutate()}>
        {t('sources.check')}
      </Button>
      <Button
        size="small"
        loading={sync.isPending}
        disabled={source.state === 'syncing' || source.hold !== null}
        onClick={() => sync.mutate()}
      >
        {t('sources.sync')}
      </Button>
      <HoldButton source={source.code} name={say(source.label)} held={source.hold !== null} />
    </div>
  )
}
