import { Link } from 'react-router'
import type { Card } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { Flags } from '../parts/Flags'
import { StageTag } from '../parts/StageTag'
import { FigureLink } from './FigureLink'

/** Orders that need a look, the most urgent first. */
export function OrdersCard({ card }: { card: Card }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <>
      <div className="board__totals">
        {card.figures.map((figure) => (
          <FigureLink key={figure.key} to={figure.link} className={`board__total tone--${figure.tone}`}>
            {say(figure.label)} <b className="num">{quantity(figure.value)}</b>
          </FigureLink>
        ))}
      </div>
      {card.orders.length === 0 && <Empty title={t('board.none_late')} />}
      <ul className="lates">
        {card.orders.map((row) => (
          <li key={row.line_id}>
            <Link to={`/orders/${row.line_id}`} className="late">
              <span className="late__no num">
                <b>{row.order_no}</b>-{row.line_no}
              </span>
              <span className="late__due num bad">
                {t('order.due')} {dayTime(row.due_at)}
              </span>
              <span className="late__what">
                {row.customer && <>{row.customer} · </>}
                {row.item}
              </span>
              <span className="late__stage">
                <Flags rush={row.rush} hold={row.on_hold} /> <StageTag stage={row.stage} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}
