import type { Stage, Text } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { StageTag } from '../parts/StageTag'

/** The answer to "where is it": the stage, how sure it is, and what it waits for. */
export function StageBand({ stage, waitsFor }: { stage: Stage; waitsFor: Text | null }) {
  const { t, say } = useLanguage()
  const { dayTime, ago } = useFormats()
  const told = !stage.confirmed && stage.reason !== null && say(waitsFor).includes(say(stage.reason))
  return (
    <div className={`band${stage.confirmed ? '' : ' band--unconfirmed'}`}>
      <StageTag stage={stage} large />
      <div className="band__words">
        {!stage.confirmed && stage.reason && (
          <p>
            <b className="warn">{t('stage.why')}</b>
            {say(stage.reason)}
            {stage.rule && <span className="muted small"> {stage.rule}</span>}
          </p>
        )}
        {waitsFor && !told && (
          <p>
            <b>{t('order.waits_for')}</b>
            {say(waitsFor)}
          </p>
        )}
        <p className="muted num">
          {t('stage.evidence')}{' '}
          {stage.evidence_at ? `${dayTime(stage.evidence_at)}（${ago(stage.evidence_at)}）` : t('stage.no_evidence')}
        </p>
      </div>
    </div>
  )
}
