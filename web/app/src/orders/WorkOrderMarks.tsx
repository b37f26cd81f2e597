import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { WorkOrderLine } from '../api/types'
import { useLanguage } from '../i18n'

const TENON = 'tenon'
// What the MES writes when it does not take a work order.
const REFUSED = /^拒绝/

/** Who planned a work order, what the MES answered, and whether it waits for its routing. */
export function WorkOrderMarks({ work }: { work: WorkOrderLine }) {
  const { t } = useLanguage()
  const can = useCan()
  const ours = work.planned_by === TENON
  const over = work.stage.code === 'cancelled' || work.stage.code === 'closed'
  return (
    <>
      {ours && <span className="flag flag--ours">{t('work.by_tenon')}</span>}
      {work.engineering && work.stage.code !== 'engineering' && (
        <span className="flag flag--rush">{t('stage.engineering')}</span>
      )}
      {work.engineering && can('orders.manage') && (
        <Link className="flag flag--rush" to={`/engineering?work_order=${encodeURIComponent(work.id)}`}>
          {t('engineering.choose')} →
        </Link>
      )}
      {work.mes_answer !== null ? (
        <span className={`work__answer${REFUSED.test(work.mes_answer) ? ' bad' : ' muted'}`}>
          {t('work.mes_answer')} {work.mes_answer}
        </span>
      ) : (
        ours && !work.engineering && !over && <span className="work__answer muted">{t('work.no_answer')}</span>
      )}
    </>
  )
}
