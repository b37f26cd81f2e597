import { Link } from 'react-router'
import type { RunPage } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { Mapping } from '../lineage/RowList'
import { runSeconds } from './RunTable'

/** When a run ran, what it was, and how far the watermark moved. */
export function RunFields({ page }: { page: RunPage }) {
  const { t } = useLanguage()
  const { fullTime, duration } = useFormats()
  const { run } = page
  const seconds = runSeconds(run)
  return (
    <dl className="fields fields--run">
      <div className="field">
        <dt>{t('runs.started')}</dt>
        <dd className="num">{fullTime(run.started_at)}</dd>
      </div>
      <div className="field">
        <dt>{t('run.ended')}</dt>
        <dd className="num">
          {fullTime(run.ended_at)} {seconds !== null && <span className="muted">{duration(seconds)}</span>}
        </dd>
      </div>
      <div className="field">
        <dt>{t('run.kind')}</dt>
        <dd>
          {t(`runs.kind.${run.kind}`)} <span className="code muted">{run.sync}</span>
        </dd>
      </div>
      <div className="field">
        <dt>{t('run.watermark')}</dt>
        <dd className="code">
          {page.watermark_before ?? '–'} → {page.watermark_after ?? '–'}
        </dd>
      </div>
      <div className="field">
        <dt>{t('lineage.mapping')}</dt>
        <dd>
          <Mapping mapping={page.mapping} />
        </dd>
      </div>
      {page.backfill && (
        <div className="field">
          <dt>{t('backfill.waiting')}</dt>
          <dd>
            {t(page.backfill.span.by === 'cursor' ? 'backfill.of_cursor' : 'backfill.of_key', {
              low: page.backfill.span.low,
              high: page.backfill.span.high,
            })}{' '}
            <span className="muted">{page.backfill.reason}</span>
          </dd>
        </div>
      )}
      {page.resumed_from && (
        <div className="field">
          <dt>{t('run.resumed')}</dt>
          <dd>
            <Link to={`/runs/${page.resumed_from}`}>{page.resumed_from}</Link>
          </dd>
        </div>
      )}
    </dl>
  )
}
