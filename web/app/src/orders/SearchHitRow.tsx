import { Link } from 'react-router'
import type { SearchHit } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { Flags } from '../parts/Flags'
import { StageTag } from '../parts/StageTag'
import { Marked } from './Marked'
import { rememberSearch } from './recent'

const MATCHED: Record<SearchHit['matched'], Key> = {
  order: 'matched.order',
  work_order: 'matched.work_order',
  customer: 'matched.customer',
  customer_po: 'matched.customer_po',
  item: 'matched.item',
}

/** One found order line; the whole row is its link. */
export function SearchHitRow({ hit, query }: { hit: SearchHit; query: string }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  const apart = hit.matched === 'work_order' || hit.matched === 'customer_po'
  return (
    <Link to={`/orders/${hit.line_id}`} className="hit" data-row onClick={() => rememberSearch(query)}>
      <span className="hit__main">
        <span className="hit__no">
          <Marked text={hit.order_no} find={query} />
          <span className="muted">-{hit.line_no}</span>
        </span>
        {apart && (
          <span className="hit__match small">
            {t(MATCHED[hit.matched])} <Marked text={hit.matched_text} find={query} />
          </span>
        )}
        <Flags late={hit.late} />
      </span>
      <span className="hit__what">
        {hit.customer && (
          <span className="hit__customer">
            <Marked text={hit.customer} find={query} />
          </span>
        )}
        <span className="hit__item">
          <Marked text={hit.item} find={query} />
        </span>
      </span>
      <span className="hit__figures num muted">
        <span>
          {quantity(hit.qty)} {hit.unit}
        </span>
        <span>
          {t('order.due')} {dayTime(hit.due_at)}
        </span>
      </span>
      <span className="hit__stage">
        <StageTag stage={hit.stage} />
      </span>
    </Link>
  )
}
