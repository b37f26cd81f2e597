import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useCan } from '../api/session'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { targets } from './calls'
import { unfilled, type Hints, type Work } from './draft'
import { FieldList } from './FieldList'
import { LiveRun } from './LiveRun'
import { MappingActions, type Done } from './MappingActions'
import { PreviewPane } from './PreviewPane'
import { StreamPanel } from './StreamPanel'
import type { Suggestion, SyncState, Target } from './types'
import { useColumns } from './useColumns'
import { useMapKeys } from './useMapKeys'
import { useMapping } from './useMapping'
import { usePreview } from './usePreview'

export type DeskProps = {
  /** Under which name unpublished changes are kept. */
  store: string
  title: string
  back: ReactNode
  source: string
  table: string
  start: Work
  others: Suggestion['others']
  hints: Hints
  retarget?: (entity: string) => void
  /** The tables that come after this one. */
  then: string[]
  published?: SyncState
  readOnly?: boolean
}

function Desk({ entities, ...props }: DeskProps & { entities: Target[] }) {
  const { t, say } = useLanguage()
  const can = useCan()
  const mapping = useMapping(props.store, props.start)
  useMapKeys(mapping)
  const [done, setDone] = useState<Done | null>(null)
  const { draft, pending } = mapping.work
  const target = entities.find((one) => one.entity === draft.target)
  const looked = usePreview(props.source, draft, can('source_rows.read'))
  const columns = useColumns(props.source, props.table, looked.data)
  const readOnly = (props.readOnly ?? false) || !can('sources.manage')
  const missing = unfilled(draft, target?.fields.filter((field) => field.required).map((field) => field.code) ?? [])
  if (done) return <LiveRun source={props.source} sync={done.sync} before={done.before} title={props.title} back={props.back} then={props.then} />
  return (
    <Page
      title={props.title}
      hint={props.back}
      actions={
        readOnly ? undefined : (
          <MappingActions
            source={props.source}
            mapping={mapping}
            published={props.published}
            missing={missing.length}
            onDone={setDone}
          />
        )
      }
    >
      {props.readOnly && <p className="card map__note">{t('map.read_only')}</p>}
      {mapping.restored && (
        <p className="card map__note" role="status">
          {t('map.restored')}{' '}
          <button type="button" className="bare map__link" onClick={mapping.discard}>
            {t('map.discard')}
          </button>
        </p>
      )}
      {props.then.length > 0 && <p className="muted map__then">{t('map.then', { n: props.then.length })}</p>}
      <div className="map">
        <div className="map__left">
          <StreamPanel
            draft={draft}
            target={target}
            entities={entities}
            others={props.others}
            hints={props.hints}
            columns={columns}
            change={mapping.draft}
            retarget={props.retarget}
            readOnly={readOnly}
          />
          {target ? (
            <FieldList
              target={target}
              entities={entities}
              draft={draft}
              pending={pending}
              columns={columns}
              problems={looked.data?.problems ?? []}
              missing={missing}
              mapping={mapping}
              readOnly={readOnly}
            />
          ) : (
            <p className="card">{t('map.no_target', { name: say(draft.label) || draft.target })}</p>
          )}
        </div>
        <PreviewPane looked={looked} draft={draft} />
      </div>
    </Page>
  )
}

/** The desk at which a mapping is made: rules on the left, real rows and what becomes of them on the right. */
export function MappingDesk(props: DeskProps) {
  const entities = useQuery({ queryKey: ['targets'], queryFn: targets, staleTime: 60_000 })
  if (entities.data) return <Desk {...props} entities={entities.data} />
  return (
    <Page title={props.title} hint={props.back}>
      {entities.error ? <FailureNote error={entities.error} retry={() => void entities.refetch()} /> : <Waiting rows={10} />}
    </Page>
  )
}
