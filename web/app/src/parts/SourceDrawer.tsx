import { useQueries } from '@tanstack/react-query'
import { Drawer } from 'antd'
import { useCallback } from 'react'
import { useSearchParams } from 'react-router'
import { answer, api } from '../api/client'
import type { Source, SourceRow } from '../api/types'
import { useLanguage } from '../i18n'
import { FailureNote } from './FailureNote'
import { SourceRowView } from './SourceRowView'
import { Waiting } from './Waiting'

type Where = { source: string; stream: string; key: string }

const PARAM = 'row'

function write(where: Where): string {
  return [where.source, where.stream, where.key].map(encodeURIComponent).join('/')
}

function read(value: string): Where | null {
  const [source, stream, key] = value.split('/').map(decodeURIComponent)
  return source && stream && key ? { source, stream, key } : null
}

/** Opens source rows in the drawer; the address keeps them, so that it can be passed on. */
export function useSourceDrawer(): (sources: (Where | Source)[]) => void {
  const [, setParams] = useSearchParams()
  return useCallback(
    (sources) =>
      setParams((before) => {
        const next = new URLSearchParams(before)
        next.delete(PARAM)
        sources.slice(0, 12).forEach((source) => next.append(PARAM, write(source)))
        return next
      }),
    [setParams],
  )
}

/** The drawer with source rows exactly as they were read. */
export function SourceDrawer() {
  const { t } = useLanguage()
  const [params] = useSearchParams()
  const open = useSourceDrawer()
  const places = params.getAll(PARAM).map(read).filter((where) => where !== null)
  const rows = useQueries({
    queries: places.map(({ source, stream, key }) => ({
      queryKey: ['source-row', source, stream, key],
      queryFn: () =>
        answer(
          api.GET('/api/source-rows/{source}/{stream}/{key}', {
            params: { path: { source, stream, key } },
          }),
        ),
    })),
  })
  return (
    <Drawer
      open={places.length > 0}
      onClose={() => open([])}
      size={560}
      title={t('source.title')}
      destroyOnHidden
      styles={{ wrapper: { maxWidth: '100vw' } }}
    >
      <p className="muted" style={{ marginBottom: 12 }}>
        {t('source.hint')}
      </p>
      {rows.map((row, index) => {
        const place = places[index]
        // The client's types lose the pairs of a tuple array.
        if (row.data) return <SourceRowView key={index} row={row.data as SourceRow} />
        if (row.error)
          return (
            <div key={index} className="source-row">
              <p className="code">{place && `${place.source} · ${place.stream} · ${place.key}`}</p>
              <FailureNote error={row.error} retry={() => void row.refetch()} bare />
            </div>
          )
        return <Waiting key={index} rows={4} card={false} />
      })}
    </Drawer>
  )
}
