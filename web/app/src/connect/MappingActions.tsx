import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Tooltip } from 'antd'
import { answer, api } from '../api/client'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { addSync, saveSync } from './calls'
import type { SyncState } from './types'
import type { Mapping } from './useMapping'

/** What was published, and the newest run from before. */
export type Done = { sync: SyncState; before: string | undefined }

type Props = {
  source: string
  mapping: Mapping
  published: SyncState | undefined
  /** How many required fields nothing fills. */
  missing: number
  onDone: (done: Done) => void
}

async function newest(source: string, sync: string): Promise<string | undefined> {
  const runs = await answer(api.GET('/api/runs', { params: { query: { source } } }))
  return runs.rows.find((run) => run.sync === sync)?.id
}

/** Undo, redo, and the one button that begins to write. */
export function MappingActions({ source, mapping, published, missing, onDone }: Props) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const { draft, pending } = mapping.work
  const waiting = Object.keys(pending).length
  const publish = useMutation({
    mutationFn: async (): Promise<Done> => {
      const before = published && (await newest(source, published.code))
      const sync = await (published ? saveSync(published.code, draft, published.version) : addSync(source, draft))
      await answer(api.POST('/api/sources/{code}/sync', { params: { path: { code: source } } }))
      return { sync, before }
    },
    onSuccess: (done) => {
      mapping.published()
      for (const key of ['sources', 'source-tables', 'sync', 'runs']) void queries.invalidateQueries({ queryKey: [key] })
      onDone(done)
    },
    onError: (error) => void message.error(words(error), 8),
  })
  const why = missing > 0 ? t('map.why_missing', { n: missing }) : waiting > 0 ? t('map.why_pending', { n: waiting }) : ''
  const unchanged = published !== undefined && !mapping.changed
  return (
    <>
      <Button aria-label={t('map.undo')} title={`${t('map.undo')} Ctrl+Z`} disabled={!mapping.undo} onClick={mapping.undo}>
        ↶
      </Button>
      <Button aria-label={t('map.redo')} title={`${t('map.redo')} Ctrl+Y`} disabled={!mapping.redo} onClick={mapping.redo}>
        ↷
      </Button>
      {waiting > 0 && (
        <Button type="primary" onClick={mapping.acceptAll}>
          {t('map.accept_all', { n: waiting })}
        </Button>
      )}
      <Tooltip title={why}>
        <Button
          type={waiting > 0 ? 'default' : 'primary'}
          loading={publish.isPending}
          disabled={why !== '' || unchanged}
          onClick={() => publish.mutate()}
        >
          {t(published ? 'map.publish_again' : 'map.publish')}
        </Button>
      </Tooltip>
      <p className="muted small map__why" role="status">
        {why || t('map.nothing_written')}
      </p>
    </>
  )
}
