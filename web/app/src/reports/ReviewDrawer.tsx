import { Drawer } from 'antd'
import type { ReportReview } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { ReviewForm } from './ReviewForm'
import { jobOf } from './ReviewTable'
import { useReviewWords } from './words'
import '../orders/OrderPage.css'

type Props = { review: ReportReview | undefined; gone: boolean; onClose: () => void }

function Detail({ review, gone, onClose }: { review: ReportReview; gone: boolean; onClose: () => void }) {
  const { t } = useLanguage()
  const { dayTime, ago } = useFormats()
  const words = useReviewWords()
  const facts: [Key, string][] = [
    ['reviews.operation', `${review.seq} ${review.operation}`],
    ['reviews.worker', `${review.employee_no} ${review.employee_name ?? t('reviews.nobody')}`],
    ['reviews.reported_at', dayTime(review.reported_at)],
    ['reviews.received_at', `${dayTime(review.received_at)} (${ago(review.received_at)})`],
  ]
  return (
    <>
      <div className="change__what">
        <span>{words.reason(review.reason)}</span>
        <b className="num">
          {review.quantities.map((one) => `${words.kind(one.kind)} ${quantity(one.qty)}`).join(' · ')}
        </b>
      </div>
      <dl className="pairs">
        {facts.map(([label, text]) => (
          <div key={label}>
            <dt>{t(label)}</dt>
            <dd className="num">{text}</dd>
          </div>
        ))}
      </dl>
      <ReviewForm key={review.report_id} review={review} gone={gone} onDone={onClose} />
    </>
  )
}

/** A report that waits, and the decision about it. */
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
