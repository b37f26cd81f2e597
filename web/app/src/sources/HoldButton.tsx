import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { SourceState } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { ReasonDialog } from './ReasonDialog'

type Props = { source: string; sync?: string; name: string; held: boolean }

async function pause(source: string, sync: string | undefined, reason: string): Promise<SourceState> {
  const body = { reason }
  if (sync === undefined)
    return answer(api.POST('/api/sources/{code}/pause', { params: { path: { code: source } }, body }))
  const path = { code: source, sync }
  return answer(api.POST('/api/sources/{code}/syncs/{sync}/pause', { params: { path }, body }))
}

async function resume(source: string, sync: string | undefined): Promise<SourceState> {
  if (sync === undefined) return answer(api.POST('/api/sources/{code}/resume', { params: { path: { code: source } } }))
  return answer(api.POST('/api/sources/{code}/syncs/{sync}/resume', { params: { path: { code: source, sync } } }))
}

/** Pauses a source, or one of its syncs, with a reason; or lets it go on. */
export function HoldButton({ source, sync, name, held }: Props) {
  const { t } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [asking, setAsking] = useState(false)
  const shared = {
    onError: (error: unknown) => void message.error(words(error)),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['sources'] }),
  }
  const start = useMutation({
    ...shared,
    mutationFn: () => resume(source, sync),
    onSuccess: () => void message.success(t('control.resumed', { name })),
  })
  const stop = useMutation({
    ...shared,
    mutationFn: (reason: string) => pause(source, sync, reason),
    onSuccess: () => {
      setAsking(false)
      const undo = (
        <>
          {t('control.paused', { name })}{' '}
          <Button type="link" size="small" onClick={() => start.mutate()}>
            {t('control.undo')}
          </Button>
        </>
      )
      void message.success(undo, 8)
    },
  })
  if (!can('sources.manage')) return null
  const label = t(held ? 'control.resume_of' : 'control.pause_of', { name })
  return (
    <>
      <Button
        size="small"
        aria-label={label}
        loading={start.isPending}
        onClick={() => (held ? start.mutate() : setAsking(true))}
      >
        {t(held ? 'control.resume' : 'control.pause')}
      </Button>
      <ReasonDialog
        open={asking}
        title={label}
        warning={t('control.pause_warn')}
        action={t('control.pause')}
        busy={stop.isPending}
        onReason={(reason) => stop.mutate(reason)}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
