import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import { columnsOf } from './draft'
import type { Draft, Preview, PreviewRow } from './types'

type Props = { looked: UseQueryResult<Preview>; draft: Draft }

const state = (row: PreviewRow): string => (row.problem ? 'bad' : row.waits ? 'waits' : 'good')

function Value({ children }: { children: string | null | undefined }) {
  const { t } = useLanguage()
  if (children === null || children === undefined) return <span className="muted">{t('source.null')}</span>
  if (children === '') return <span className="muted">{t('source.blank')}</span>
  return <>{children}</>
}

function Row({ row, draft }: { row: PreviewRow; draft: Draft }) {
  const { t, say } = useLanguage()
  const source = new Map(row.source)
  const used = new Set(Object.values(draft.fields).flatMap(columnsOf))
  const others = row.source.filter(([name]) => !used.has(name))
  return (
    <>
      {(row.problem ?? row.waits) && (
        <p className={row.problem ? 'pre__note pre__note--bad' : 'pre__note'}>
          {t(row.problem ? 'pre.aside' : 'pre.waits')} {say(row.problem ?? row.waits)}
        </p>
      )}
      {row.outcome && !row.problem && <p className="muted small">{say(row.outcome)}</p>}
      <table className="pre__table">
        <thead>
          <tr>
            <th scope="col">{t('pre.source')}</th>
            <th scope="col">{t('pre.result')}</th>
          </tr>
        </thead>
        <tbody>
          {row.result.map(({ field, label, value, shown }) => {
            const from = columnsOf(draft.fields[field])
            return (
              <tr key={field}>
                <td>
                  <span className="code muted small pre__name">{from.join(' | ') || t('pre.const')}</span>
                  {from.length > 0 && <Value>{from.length === 1 ? source.get(from[0] ?? '') : from.map((name) => source.get(name) ?? '').join(' | ')}</Value>}
                </td>
                <td>
                  <span className="muted small pre__name">{say(label)}</span>
                  <b>
                    <Value>{shown ? say(shown) : value}</Value>
                  </b>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {others.length > 0 && (
        <details className="pre__others">
          <summary>{t('pre.others', { n: others.length })}</summary>
          <dl className="seen">
            {others.map(([name, value]) => (
              <div key={name}>
                <dt className="code muted">{name}</dt>
                <dd>
                  <Value>{value}</Value>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  )
}

function Rows({ data, draft }: { data: Preview; draft: Draft }) {
  const { t, say } = useLanguage()
  const [place, setPlace] = useState(0)
  const at = Math.min(place, data.rows.length - 1)
  const row = data.rows[at]
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === 'j') setPlace(Math.min(at + 1, data.rows.length - 1))
      if (event.key === 'k') setPlace(Math.max(at - 1, 0))
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [at, data.rows.length])
  return (
    <>
      <p className="num">
        {t('pre.summary', { read: count(data.read), good: count(data.good), aside: count(data.set_aside) })}
      </p>
      {data.reasons.length > 0 && (
        <ul className="pre__reasons small">
          {data.reasons.map(({ reason, count: n }) => (
            <li key={say(reason)} className="warn">
              <b className="num">{count(n)}</b> {say(reason)}
            </li>
          ))}
        </ul>
      )}
      {row && (
        <>
          <div className="pre__strip" role="group" aria-label={t('pre.rows')}>
            {data.rows.map((one, index) => (
              <button
                type="button"
                key={index}
                className={`bare pre__dot pre__dot--${state(one)}`}
                aria-pressed={index === at}
                aria-label={t('pre.row', { n: index + 1, key: one.key, state: t(`pre.state.${state(one)}` as 'pre.state.good') })}
                title={one.key}
                onClick={() => setPlace(index)}
              >
                {index + 1}
              </button>
            ))}
          </div>
          <p className="code pre__key">{row.key}</p>
          <Row row={row} draft={draft} />
        </>
      )}
      {data.rows.length === 0 && <p className="muted">{t('pre.no_rows')}</p>}
    </>
  )
}

/** Real rows as they are, and beside them what would become of each; nothing is written. */
export function PreviewPane({ looked, draft }: Props) {
  const { t } = useLanguage()
  return (
    <aside className="card pre" aria-labelledby="preview" aria-busy={looked.isFetching}>
      <div className="card__head">
        <h2 id="preview">{t('pre.title')}</h2>
        <span className="muted small">{looked.isFetching ? t('pre.asking') : t('pre.keys')}</span>
      </div>
      {looked.error ? (
        <FailureNote error={looked.error} retry={() => void looked.refetch()} bare />
      ) : looked.data ? (
        <Rows data={looked.data} draft={draft} />
      ) : looked.isFetching ? (
        <Waiting rows={6} card={false} />
      ) : (
        <p className="muted">{t('pre.forbidden')}</p>
      )}
    </aside>
  )
}
