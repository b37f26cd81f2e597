import { Select } from 'antd'
import { useLanguage } from '../i18n'
import { ColumnSelect } from './ColumnSelect'
import type { Hints } from './draft'
import { IdentityPanel } from './IdentityPanel'
import type { Draft, Suggestion, Target } from './types'
import type { SeenColumn } from './useColumns'

type Props = {
  draft: Draft
  target: Target | undefined
  entities: Target[]
  others: Suggestion['others']
  hints: Hints
  columns: SeenColumn[]
  change: (change: Partial<Draft>) => void
  retarget: ((entity: string) => void) | undefined
  readOnly: boolean
}

function useTargetOptions({ entities, others }: Pick<Props, 'entities' | 'others'>) {
  const { t, say } = useLanguage()
  const likely = others.map(({ target, label, score }) => ({
    value: target,
    label: `${say(label)} ${Math.round(score * 100)}%`,
  }))
  const rest = entities
    .filter(({ entity }) => !others.some((one) => one.target === entity))
    .map(({ entity, label }) => ({ value: entity, label: say(label) }))
  return likely.length === 0 ? rest : [
    { label: t('map.likely'), options: likely },
    { label: t('map.others'), options: rest },
  ]
}

/** Where the rows go, by what each is known, and how changes are noticed. */
export function StreamPanel({ draft, target, entities, others, hints, columns, change, retarget, readOnly }: Props) {
  const { t, say } = useLanguage()
  const options = useTargetOptions({ entities, others })
  const { stream } = draft
  const watch = (column: string | undefined): void =>
    change({ stream: { ...stream, cursor: column ? { ...stream.cursor, column } : null } })
  return (
    <section className="card" aria-labelledby="stream">
      <h2 id="stream">{t('map.where')}</h2>
      <div className="map__grid">
        <div className="map__field">
          <label htmlFor="map-target">{t('map.target')}</label>
          <Select
            id="map-target"
            value={draft.target}
            options={target ? options : [{ value: draft.target, label: draft.target }, ...options]}
            labelRender={({ value }) => say(entities.find(({ entity }) => entity === value)?.label) || String(value)}
            disabled={readOnly || !retarget}
            showSearch={{ optionFilterProp: 'label' }}
            onChange={(entity) => retarget?.(entity)}
          />
          {hints.target && <p className="muted small">{say(hints.target)}</p>}
        </div>
        <div className="map__field">
          <label htmlFor="map-key">{t('map.key')}</label>
          <ColumnSelect
            id="map-key"
            label={t('map.key')}
            columns={columns}
            value={stream.key}
            readOnly={readOnly}
            onChange={(key) => change({ stream: { ...stream, key } })}
          />
          <p className="muted small">{say(hints.key) || t('map.key_hint')}</p>
        </div>
        <div className="map__field">
          <label htmlFor="map-cursor">{t('map.cursor')}</label>
          <ColumnSelect
            id="map-cursor"
            label={t('map.cursor')}
            several={false}
            columns={columns}
            value={stream.cursor ? [stream.cursor.column] : []}
            placeholder={t('map.whole')}
            readOnly={readOnly}
            onChange={([column]) => watch(column)}
          />
          <p className="muted small">{(stream.cursor && say(hints.cursor)) || t(stream.cursor ? 'map.cursor_hint' : 'map.whole_hint')}</p>
        </div>
      </div>
      {target?.master && <IdentityPanel draft={draft} target={target} columns={columns} hints={hints} change={change} readOnly={readOnly} />}
    </section>
  )
}
