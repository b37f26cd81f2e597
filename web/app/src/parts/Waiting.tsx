import { Skeleton } from 'antd'
import { useLanguage } from '../i18n'

/** Grey lines in the shape of what is coming. */
export function Waiting({ rows = 6, card = true }: { rows?: number; card?: boolean }) {
  const { t } = useLanguage()
  return (
    <div className={card ? 'card' : undefined} role="status" aria-label={t('state.loading')}>
      <Skeleton active title={false} paragraph={{ rows }} />
    </div>
  )
}
