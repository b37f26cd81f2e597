import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { RunPage } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { rowPath } from '../lineage/paths'
import '../parts/Table.css'
import './Sources.css'

const SHOWN = 200

type Batch = RunPage['batches'][number]
type Props = { batches: Batch[]; source: string; stream: string }

/** The first rows a batch wrote; each leads to what it became. */
function Rows({ batch, source, stream }: { batch: Batch; source: string; stream: string }) {
  const can = useCan()
  if (batch.keys.length === 0 || !can('source_rows.read')) return <>–</>
  return (
    <details>
      <summary className="code">{batch.keys[0]} …</summary>
      {batch.keys.map((key) => (
        <Link key={key} className="inline code batch__row" to={rowPath(source, stream, key)}>
          {key}
        </Link>
      ))}
    </details>
  )
}

/** The batches a run committed, each together with its watermark. */
export function Batches({ batches, source, stream }: Props) {
  const { t } = useLanguage()
  const { fullTime } = useFormats()
  return (
    <section className="card">
      <h2>{t('batch.title', { n: count(batches.length) })}</h2>
      {batches.length === 0 && <p className="muted">{t('batch.none')}</p>}
      {batches.length > 0 && (
        <div className="table-wrap">
          <table className="table table--cards">
            <thead>
              <tr>
                <th scope="col">{t('batch.at')}</th>
                <th scope="col" className="table__right">
                  {t('runs.read')}
                </th>
                <th scope="col" className="table__right">
                  {t('runs.applied')}
                </th>
                <th scope="col" className="table__right">
                  {t('runs.unchanged')}
                </th>
                <th scope="col" className="table__right">
                  {t('runs.set_aside')}
                </th>
                <th scope="col">{t('stream.watermark')}</th>
                <th scope="col">{t('lineage.rows_of')}</th>
              </tr>
            </thead>
            <tbody>
              {batches.slice(0, SHOWN).map((batch, index) => (
                <tr key={index}>
                  <td className="num table__wide">{fullTime(batch.at)}</td>
                  <td className="num table__right" data-label={t('runs.read')}>
                    {count(batch.read)}
                  </td>
                  <td className="num table__right" data-label={t('runs.applied')}>
                    {count(batch.applied)}
                  </td>
                  <td className="num table__right" data-label={t('runs.unchanged')}>
                    {count(batch.unchanged)}
                  </td>
                  <td className="num table__right" data-label={t('runs.set_aside')}>
                    {count(batch.set_aside)}
                  </td>
                  <td className="code">{batch.watermark ?? '–'}</td>
                  <td className="table__wide" data-label={t('lineage.rows_of')}>
                    <Rows batch={batch} source={source} stream={stream} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {batches.length > SHOWN && <p className="muted small">{t('batch.more', { n: SHOWN })}</p>}
    </section>
  )
}
