import { useLanguage } from '../i18n'

/** Changes the language of everything at once. */
export function LanguageButton() {
  const { language, setLanguage } = useLanguage()
  const other = language === 'zh' ? 'en' : 'zh'
  return (
    <button
      type="button"
      className="bare top__button"
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      onClick={() => setLanguage(other)}
    >
      {other === 'zh' ? '中文' : 'EN'}
    </button>
  )
}
