import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { LineageRow, MappingVersion } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { rowPath } from './paths'

/** Which version of a mapping rows went through. */
export function Mapping({ mapping }: { mapping: MappingVersion | null }) {
  const { t } = useLanguage()
  const { fullTime } = useFormats()
  if (mapping === null) return <span className="muted">{t('lineage.mapping_none')}</span>
  const published = t('lineage.published', { time: fullTime(mapping.published_at), who: mapping.published_by })
  return (
    <span>
      <span className="code">{mapping.code}</span> {t('lineage.mapping_version', { n: mapping.version })}{' '}
      <span className="muted small">
        {published} · {mapping.package} {mapping.package_version}
      </span>
      {!mapping.exact && <span className="warn small"> {t('lineage.mapping_about')}</span>}
      {!mapping.current && <span className="warn small"> {t('lineage.mapping_old')}</span>}
    </span>
  )
}

/** The run that brought a row, and its batch. */
export function RunOf({ row }: { row: LineageRow }) {
  const { t } = useLanguage()
  const can = useCan()
  const { fullTime } = useFormats()
  if (row.run === null) return <span className="muted">{t('lineage.run_gone')}</span>
  const kind = t(`runs.kind.${row.run.kind as 'full'}`)
  return (
    <span>
      {can('sources.read') ? (
        <Link className="inline" to={`/runs/${row.run_id}`}>
          {kind}
        </Link>
      ) : (
        kind
      )}{' '}
      <span className="num">{fullTime(row.run.started_at)}</span>
      {row.run.batch !== null && <span className="muted"> {t('lineage.run_batch', { n: row.run.batch })}</span>}
    </span>
  )
}

/** The facts of a source row: its run, its mapping. */
export function RowFacts({ row }: { row: LineageRow }) {
  const { t } = useLanguage()
  return (
    <ul className="facts">
      <li>
        <span className="muted lineage__label">{t('lineage.cause.sync')}</span>
        <RunOf row={row} />
      </li>
      <li>
        <span className="muted lineage__label">{t('lineage.mapping')}</span>
        <Mapping mapping={row.mapping} />
      </li>
    </ul>
  )
}

/** The source rows behind a record. */
export function RowList({ rows }: { rows: LineageRow[] }) {
  const { t, say } = useLanguage()
  return (
    <section className="card">
      <h2>{t('lineage.rows')}</h2>
      {rows.length === 0 && <p className="muted">{t('lineage.no_rows')}</p>}
      {rows.map((row) => (
        <div key={`${row.source} ${row.stream} ${row.key}`} className="lineage__row">
          <p>
            <Link className="inline" to={rowPath(row.source, row.stream, row.key)}>
              {say(row.label)} <span className="code">{row.stream}</span> · <span className="code">{row.key}</span>
            </Link>{' '}
            <span className={row.state === 'applied' ? 'muted small' : 'warn small'}>
              {t(row.wrote ? 'lineage.wrote' : 'lineage.linked')}
              {row.state !== 'applied' && ` · ${t(`source.${row.state}`)}`}
            </span>
          </p>
          <RowFacts row={row} />
        </div>
      ))}
    </section>
  )
}
