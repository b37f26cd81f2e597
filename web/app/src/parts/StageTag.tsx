import type { Stage } from '../api/types'
import { useLanguage } from '../i18n'
import './StageTag.css'

/** A stage as a tag; an unconfirmed one is dashed and says so first. */
export function StageTag({ stage, large = false }: { stage: Stage; large?: boolean }) {
  const { t, say } = useLanguage()
  const operation = [stage.op_seq, stage.op_name].filter((part) => part !== null).join(' ')
  const shown = stage.code === 'in_process' || stage.code === 'outside' ? operation : ''
  const className = `stage stage--${stage.code}${stage.confirmed ? '' : ' stage--unconfirmed'}${large ? ' stage--large' : ''}`
  return (
    <span className={className} title={stage.confirmed ? undefined : say(stage.reason)}>
      {!stage.confirmed && <b className="stage__doubt">{t('stage.unconfirmed')}</b>}
      <i className="stage__dot" aria-hidden="true" />
      <span className="stage__text">
        {say(stage.label)}
        {shown && <span className="stage__op"> {shown}</span>}
      </span>
    </span>
  )
}
