import { Button } from 'antd'
import { Link } from 'react-router'
import type { ReportReview } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { ReviewStateTag } from './ReviewStateTag'
import { useReviewWords } from './words'
import '../masters/Masters.css'
import './Reports.css'

type Props = { rows: ReportReview[]; onOpen: (id: string) => void }

/** Which job a report is of. */
export function jobOf(review: ReportReview): string {
  return `${review.work_order_no} · ${review.seq}`
}

function Row({ review, onOpen }: { review: ReportReview; onOpen: (id: string) => void }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  const words = useReviewWords()
  return (
    <tr>
      <td className="table__lead">
        <button type="button" className="bare task__open" data-row onClick={() => onOpen(review.report_id)}>
          <b className="num">{jobOf(review)}</b>
        </button>{' '}
        <span className="muted">{review.operation}</span>
      </td>
      <td className="table__wide warn">{words.reason(review.reason)}</td>
      <td className="num" data-label={t('reviews.quantity')}>
        {review.quantities.map((one) => (
          <span key={one.kind} className="reviews__qty">
            {words.kind(one.kind)} {quantity(one.qty)}
          </span>
        ))}
        {review.quantities.length === 0 && <span className="muted">{words.events(review.events)}</span>}
      </td>
      <td data-label={t('reviews.worker')}>
        <span className="num">{review.employee_no}</span> {review.employee_name}
      </td>
      <td className="num" data-label={t('reviews.reported_at')}>
        {dayTime(review.reported_at)}
      </td>
      <td>
        <Link to={`/orders?q=${encodeURIComponent(review.work_order_no)}`}>{t('reviews.order')}</Link>
      </td>
      <td>
        {review.state === 'review' ? (
          <Button
            size="small"
            onClick={() => onOpen(review.report_id)}
            aria-label={`${t('change.decide')} ${jobOf(review)}`}
          >
            {t('change.decide')}
          </Button>
        ) : (
          <>
            <ReviewStateTag state={review.state} />
            {review.decided_at && (
              <span className="muted small">
                {' '}
                {review.decided_by} {dayTime(review.decided_at)}
              </span>
            )}
          </>
        )}
      </td>
    </tr>
  )
}

/** Reports that wait for a decision, the oldest first, or those that were decided. */
export function ReviewTable({ rows, onOpen }: Props) {
  const { t } = useLanguage()
  return (
    <CardTable
      heads={[
        { label: t('reviews.job') },
        { label: t('reviews.reason') },
        { label: t('reviews.quantity') },
        { label: t('reviews.worker') },
        { label: t('reviews.reported_at') },
        { label: t('reviews.order'), hidden: true },
        { label: t('changes.outcome'), hidden: rows.every((one) => one.state === 'review') },
      ]}
    >
      {rows.map((review) => (
        <Row key={review.report_id} review={review} onOpen={onOpen} />
      ))}
    </CardTable>
  )
}
