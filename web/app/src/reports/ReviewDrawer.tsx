import { Drawer } from 'antd'
import { Link } from 'react-router'
import type { ReportReview } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { ReviewForm } from './ReviewForm'
import { ReviewStateTag } from './ReviewStateTag'
import { jobOf } from './ReviewTable'
import { useReviewWords } from './words'
import '../orders/OrderPage.css'

type Props = { review: ReportReview | undefined; gone: boolean; onClose: () => void }

function Detail({ review, gone, onClose }: { review: ReportReview; gone: boolean; onClose: () => void }) {
  const { t } = useLanguage()
  const { dayTime, ago } = useFormats()
  const words = useReviewWords()
  const facts: [string, string][] = [
    [t('reviews.operation'), `${review.seq} ${review.operation}`],
    [t('reviews.so_far'), `${quantity(review.qty_good)} / ${review.qty_plan === null ? '–' : quantity(review.qty_plan)}`],
    [t('reviews.worker'), `${review.employee_no} ${review.employee_name ?? t('reviews.nobody')}`],
    [t('reviews.machine'), review.machine ?? '–'],
    ...review.events.map((one): [string, string] => [words.events([one]), dayTime(one.at)]),
    [t('reviews.received_at'), `${dayTime(review.received_at)} (${ago(review.received_at)})`],
  ]
  return (
    <>
      <div className="change__what">
        <span>{words.reason(review.reason)}</span>
        <b className="num">
          {review.quantities.map((one) => `${words.kind(one.kind)} ${quantity(one.qty)}`).join(' · ') ||
            words.events(review.events)}
        </b>
      </div>
      <dl className="pairs">
        {facts.map(([label, text]) => (
          <div key={label + text}>
            <dt>{label}</dt>
            <dd className="num">{text}</dd>
          </div>
        ))}
        {review.state !== 'review' && (
          <div>
            <dt>{t('changes.outcome')}</dt>
            <dd>
              <ReviewStateTag state={review.state} />{' '}
              {review.decided_at && (
                <span className="muted small">
                  {review.decided_by} {dayTime(review.decided_at)}
                </span>
              )}
            </dd>
          </div>
        )}
      </dl>
      <p>
        <Link to={`/orders?q=${encodeURIComponent(review.work_order_no)}`}>{t('reviews.order')}</Link>
      </p>
      {review.state === 'review' && <ReviewForm key={review.report_id} review={review} gone={gone} onDone={onClose} />}
    </>
  )
}

/** A report, and the decision about it. */
export function ReviewDrawer({ review, gone, onClose }: Props) {
  return (
    <Drawer
      open={review !== undefined}
      onClose={onClose}
      size={520}
      destroyOnHidden
      title={review && jobOf(review)}
      styles={{ wrapper: { maxWidth: '100vw' } }}
    >
      {review && <Detail review={review} gone={gone} onClose={onClose} />}
    </Drawer>
  )
}
