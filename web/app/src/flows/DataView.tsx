import { useLanguage } from '../i18n'
import { told } from './told'

/** Data of a run as names and values, as they are kept. */
export function DataView({ data }: { data: Record<string, unknown> }) {
  const { t } = useLanguage()
  const entries = Object.entries(data)
  if (entries.length === 0) return <p className="muted">{t('flow_run.no_data')}</p>
  return (
    <dl className="data">
      {entries.map(([name, value]) => {
        const text = told(value)
        return (
          <div key={name}>
            <dt className="code">{name}</dt>
            <dd className="code">{text === null ? <span className="muted">{t('source.null')}</span> : text}</dd>
          </div>
        )
      })}
    </dl>
  )
}
