import type { RunPage } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import '../parts/Table.css'

const SHOWN = 200

/** The batches a run committed, each together with its watermark. */
export function Batches({ batches }: { batches: RunPage['batches'] }) {
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
