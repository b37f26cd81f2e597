import { Link } from 'react-router'
import type { LineageField, LineageRule } from '../api/types'
import { useLanguage, type Key } from '../i18n'
import { recordPath } from './paths'

const CLEANED = new Set(['code', 'document_no', 'name', 'text'])

function Column({ column }: { column: LineageRule['columns'][number] }) {
  const { t } = useLanguage()
  return (
    <span className="chain__part chain__part--column">
      <span className="code muted">{column.name}</span>{' '}
      {column.masked ? (
        <span className="muted">••• {t('lineage.masked')}</span>
      ) : (
        <span className="code chain__value">{column.value ?? t('lineage.no_value')}</span>
      )}
    </span>
  )
}

function Lookup({ lookup }: { lookup: NonNullable<LineageRule['lookup']> }) {
  const { t, say } = useLanguage()
  return (
    <span className="chain__part">
      <span className="muted">{t('lineage.lookup', { entity: say(lookup.entity_label) })}</span>
      {lookup.how && <> {t(`code.how.${lookup.how}`)}</>}
      {lookup.confirmed_by && <span className="muted small"> {t('code.by', { name: lookup.confirmed_by })}</span>}
    </span>
  )
}

/** What a field shows, leading on to the record it refers to. */
export function FieldValue({ field }: { field: LineageField }) {
  const { t, say } = useLanguage()
  if (field.refers_to)
    return (
      <Link className="inline" to={recordPath(field.refers_to.entity, field.refers_to.id)}>
        {field.value ?? t('lineage.open_record')}
      </Link>
    )
  if (field.value === null) return <span className="muted">{t('lineage.no_value')}</span>
  return <b className="chain__value">{field.value_label ? say(field.value_label) : field.value}</b>
}

/** The rule of a field as it went: column → cleaning → look-up → value. */
export function Rule({ field }: { field: LineageField }) {
  const { t } = useLanguage()
  const { rule } = field
  if (rule === null) return <span className="muted">{t('lineage.no_rule')}</span>
  const clean = rule.choices ? 'lineage.translated' : (`lineage.clean.${rule.clean}` as Key)
  // What cleaning did not change needs no mention.
  const told = rule.cleaned !== null && (rule.columns.length > 1 || rule.cleaned !== rule.columns[0]?.value)
  return (
    <span className="chain">
      {rule.columns.map((column) => (
        <Column key={column.name} column={column} />
      ))}
      {rule.constant !== null && (
        <span className="chain__part">
          <span className="muted">{t('lineage.constant')}</span> <span className="code">{rule.constant}</span>
        </span>
      )}
      {told && (
        <span className="chain__part">
          {(rule.choices || CLEANED.has(rule.clean ?? '')) && <span className="muted">{t(clean)}</span>}{' '}
          <span className="code chain__value">{rule.cleaned}</span>
        </span>
      )}
      {rule.times && (
        <span className="chain__part">
          <span className="muted">{t('lineage.times')}</span> <span className="code">{rule.times}</span>
        </span>
      )}
      {rule.default !== null && (
        <span className="chain__part">
          <span className="muted">{t('lineage.default')}</span> <span className="code">{rule.default}</span>
        </span>
      )}
      {rule.lookup && <Lookup lookup={rule.lookup} />}
    </span>
  )
}
