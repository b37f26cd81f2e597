import type { LineageField } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { Cause } from './Story'
import { FieldValue, Rule } from './Rule'
import '../parts/Table.css'

function Changed({ field }: { field: LineageField }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  const { changed } = field
  if (changed === null || changed.kind === 'created') return null
  return (
    <span className="muted small lineage__changed">
      {t('lineage.changed', { who: say(changed.actor) })} · <Cause event={changed} /> · {dayTime(changed.at)}
    </span>
  )
}

function Value({ field }: { field: LineageField }) {
  const { fullTime } = useFormats()
  if (field.type === 'datetime' && field.value) return <b className="num">{fullTime(field.value)}</b>
  return <FieldValue field={field} />
}

/** Each field of a record with the rule that made it. */
export function FieldTable({ fields }: { fields: LineageField[] }) {
  const { t, say } = useLanguage()
  return (
    <div className="table-wrap">
      <table className="table table--cards lineage__fields">
        <thead>
          <tr>
            <th scope="col">{t('lineage.field')}</th>
            <th scope="col">{t('lineage.value')}</th>
            <th scope="col">{t('lineage.rule')}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.code}>
              <td className="table__wide">
                {say(field.label)} <span className="code muted small">{field.code}</span>
              </td>
              <td className="table__wide">
                <Value field={field} />
              </td>
              <td className="table__wide">
                <Rule field={field} />
                <Changed field={field} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
